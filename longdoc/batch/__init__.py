"""Many documents: found, read by workers, and written with a journal, so that an interrupted run goes on."""
