"""Whether more hardware makes single layers slower: sweeps over fields of a target."""
