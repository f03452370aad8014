"""The tilers, one file per family of ops: how a layer of each kind of op becomes tiles that fit local memory."""
