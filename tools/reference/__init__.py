"""The reference pages: Markdown made from the classes that they describe, beside them."""
