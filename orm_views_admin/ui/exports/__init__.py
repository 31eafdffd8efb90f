"""What pages say of exports."""
