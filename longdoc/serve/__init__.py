"""Documents and questions over HTTP: jobs and their progress, results as JSON and as a page, limits and a token."""
