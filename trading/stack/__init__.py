"""The supervisor behind `manage.py run_stack`. The outermost layer: nothing imports it but its commands."""
