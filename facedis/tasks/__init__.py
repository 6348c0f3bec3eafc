"""What a command does, without the command line: settings in, result record out."""
