"""What differs by country: versioned data with effective dates, one file a country."""
