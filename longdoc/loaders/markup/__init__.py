"""What the formats with markup share: the builder of text and edits, and XML read safely."""
