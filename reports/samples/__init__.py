"""Sample sales: years of orders in a minute, to look at reports with."""
