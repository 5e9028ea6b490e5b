#error "nobody can include this"
