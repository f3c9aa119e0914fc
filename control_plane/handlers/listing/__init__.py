"""Lists over pods: ask them, find where a page begins, show what a lost pod has, write the page."""
