"""The passages of an index in a database: written in bulk, and brought up to date part by part."""
