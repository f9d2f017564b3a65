"""No room is part of a circle through its own __init__, which import-linter cannot express."""

import grimp


def reached(graph, package):
    """Return every module that importing *package* imports from inside it, directly or not."""
    found, waiting = set(), [package]
    while waiting:
        below = {name for name in graph.find_modules_directly_imported_by(waiting.pop()) if name.startswith(package)}
        waiting += below - found
        found |= below
    return found


def test_no_module_imports_the_room_that_imports_it():
    graph = grimp.build_graph("counterpoint")
    rooms = [name for name in graph.modules if graph.find_children(name)]
    assert [name for name in rooms if name in reached(graph, name)] == []
