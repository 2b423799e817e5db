"""The reports of a retriever and of a search."""
