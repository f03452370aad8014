"""Tilers: how a layer of each kind of op becomes tiles that fit local memory; a file per family."""
