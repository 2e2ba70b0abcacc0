"""The console: pages for the people who work with orders, made on the server. They translate verbs and views, as every face does."""
