"""What engines without staging have in common."""
