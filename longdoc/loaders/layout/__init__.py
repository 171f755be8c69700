"""Glyphs to a document: lines, furniture, hyphens and tables; shared by PDF and pictures."""
