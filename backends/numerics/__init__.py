"""The one definition of every operation's arithmetic."""
