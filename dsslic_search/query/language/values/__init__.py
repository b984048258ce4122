"""Values in queries: dates, numbers, places on the globe, quoted text."""
