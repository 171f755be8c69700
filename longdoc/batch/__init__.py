"""Many documents: in worker processes, with limits, and a status for each."""
