"""What is printed: Typst's templates, filled with data, as PDF or as pictures: invoices, reports."""
