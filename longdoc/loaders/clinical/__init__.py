"""Clinical records: C-CDA XML, FHIR JSON, and the documents attached to them."""
