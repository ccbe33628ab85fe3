"""Runs one of the programs beside it, with a `kubectl proxy` that starts while the program is loaded.

    with_proxy.py requests|load|smoke|tunnel ARGUMENT...
"""

import sys
from importlib import import_module

from proxy import Proxy


def main():
    program, *arguments = sys.argv[1:]
    proxy = Proxy()
    try:
        proxy.start()
    except OSError:
        # Without kubectl whatever is asked tells so itself.
        pass
    try:
        import_module(program).main(proxy, arguments)
    finally:
        proxy.close()


if __name__ == "__main__":
    main()
