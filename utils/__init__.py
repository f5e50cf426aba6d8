"""The helpers that the chapters import: short modules for a reader at the top, machinery in four rooms below."""
