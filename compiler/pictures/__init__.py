"""Pictures that commands draw; matplotlib is an extra, smalti[plot]."""
