"""Many documents: extraction that survives damaged files, resumes, and writes tables."""
