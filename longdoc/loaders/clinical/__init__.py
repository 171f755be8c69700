"""Clinical records in C-CDA XML and FHIR JSON, and the documents attached to them."""
