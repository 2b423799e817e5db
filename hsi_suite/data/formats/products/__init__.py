"""Satellite and airborne products, told by their content; `registry` lists them."""
