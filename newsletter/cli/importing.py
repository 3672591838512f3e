"""The import command's inside: read, rehearse or write, report."""
