"""Shared by the formats with markup: builds documents, parses XML and writes its elements."""
