"""Invoices and credit notes as papers: what they say, as a page, as a PDF, and as UBL."""
