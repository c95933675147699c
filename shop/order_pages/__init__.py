"""An order's pages in the admin. Each view parses its request, calls one verb, and shows the result.

order → fulfil, deliver, cancel, received, refund → order
"""
