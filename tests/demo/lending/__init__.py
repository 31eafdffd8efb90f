"""Who borrows what: customers, products and loans."""
