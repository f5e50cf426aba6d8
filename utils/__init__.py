"""The helpers that the chapters import: one short module for each part of the course."""
