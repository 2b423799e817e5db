"""What several tasks need: the class scores, options, run pages, output that is written safely."""
