"""What became of a send, told without naming anybody: counted, drawn, explained."""
