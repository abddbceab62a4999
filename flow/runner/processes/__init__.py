"""Processes: started, ready, limited, ended, with all that they have started."""
