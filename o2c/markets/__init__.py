"""The differences between countries: versioned data with effective dates, one file a country."""
