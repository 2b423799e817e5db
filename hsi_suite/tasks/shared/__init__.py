"""What several tasks need: the class figures, options, run pages, output that is written safely."""
