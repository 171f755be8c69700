"""Glyphs to a Document: lines, furniture, hyphens and tables; shared by PDFs and pictures."""
