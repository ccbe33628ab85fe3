"""``python -m iris_service`` starts the server."""

from iris_service.server import main

main()
