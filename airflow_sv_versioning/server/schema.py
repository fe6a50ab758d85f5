"""Tables of the embedded server.

``items`` holds what a dataset holds, whatever the project's type; figures and tags hang on items.
``objects`` are what the figures of a video show from frame to frame, or those of a volume from slice to
slice; one without an item is shared by the items of its dataset. The ``frame`` of a volume's figure is the
number of its slice. Large geometries are in ``body`` or, as files, named by ``hash``; ``slices`` are stored
pictures of volumes.

Every index serves a listing or a cascade: items of a dataset by id, by name and by stamp; figures of an item
by frame, of a dataset, of a class and of an object; objects of an item, of a dataset and of a class; tags of
an item, of a figure, of an object and of a definition; slices of a volume by place.
"""

SCHEMA_VERSION = 4

SCHEMA = """
CREATE TABLE state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_id INTEGER NOT NULL,
    last_stamp INTEGER NOT NULL,
    token TEXT NOT NULL,
    storage_secret TEXT NOT NULL
);
CREATE TABLE users (
    id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT, email TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE teams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE workspaces (
    id INTEGER PRIMARY KEY, team_id INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', hidden INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX workspaces_by_name ON workspaces (team_id, name);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY, workspace_id INTEGER NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    name TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', readme TEXT,
    custom_data TEXT NOT NULL DEFAULT '{}', settings TEXT NOT NULL DEFAULT '{}', backup_archive TEXT,
    created_by INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, archived_at TEXT
);
CREATE UNIQUE INDEX projects_by_name ON projects (workspace_id, name) WHERE archived_at IS NULL;

CREATE TABLE classes (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    position INTEGER NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX classes_by_project ON classes (project_id, position);

CREATE TABLE tag_definitions (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    position INTEGER NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX tag_definitions_by_project ON tag_definitions (project_id, position);

CREATE TABLE datasets (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    parent_id INTEGER REFERENCES datasets ON DELETE CASCADE,
    name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', custom_data TEXT NOT NULL DEFAULT '{}',
    created_by INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX datasets_by_name ON datasets (project_id, IFNULL(parent_id, 0), name);
CREATE INDEX datasets_by_parent ON datasets (parent_id);

CREATE TABLE media (
    hash TEXT PRIMARY KEY, size INTEGER NOT NULL, mime TEXT NOT NULL, width INTEGER, height INTEGER,
    video TEXT, volume TEXT, created_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE items (
    id INTEGER PRIMARY KEY, dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
    parent_id INTEGER, name TEXT NOT NULL, hash TEXT, link TEXT,
    mime TEXT, size INTEGER, width INTEGER, height INTEGER, frames_count INTEGER, file_meta TEXT,
    description TEXT NOT NULL DEFAULT '', meta TEXT NOT NULL DEFAULT '{}',
    custom_data TEXT NOT NULL DEFAULT '{}', custom_sort TEXT,
    created_by INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX items_by_name ON items (dataset_id, name);
CREATE INDEX items_by_dataset ON items (dataset_id, id, size);
CREATE INDEX linked_items ON items (dataset_id) WHERE link IS NOT NULL;
CREATE INDEX items_by_stamp ON items (dataset_id, updated_at);

CREATE TABLE objects (
    id INTEGER PRIMARY KEY, dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
    item_id INTEGER REFERENCES items ON DELETE CASCADE,
    class_id INTEGER NOT NULL REFERENCES classes ON DELETE CASCADE,
    created_by INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX objects_by_item ON objects (item_id);
CREATE INDEX objects_by_dataset ON objects (dataset_id, item_id);
CREATE INDEX objects_by_class ON objects (class_id);

CREATE TABLE figures (
    id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    dataset_id INTEGER NOT NULL, class_id INTEGER NOT NULL REFERENCES classes ON DELETE CASCADE,
    object_id INTEGER, frame INTEGER, geometry_type TEXT NOT NULL, geometry TEXT, geometry_meta TEXT,
    meta TEXT NOT NULL DEFAULT '{}', custom_data TEXT NOT NULL DEFAULT '{}',
    description TEXT NOT NULL DEFAULT '', area TEXT, priority INTEGER NOT NULL DEFAULT 1,
    nn_created INTEGER NOT NULL DEFAULT 0, nn_updated INTEGER NOT NULL DEFAULT 0,
    track_id TEXT, smart_tool_input TEXT, instance TEXT,
    created_by INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX figures_by_item ON figures (item_id, frame);
CREATE INDEX figures_by_dataset ON figures (dataset_id);
CREATE INDEX figures_by_class ON figures (class_id);
CREATE INDEX figures_by_object ON figures (object_id, item_id) WHERE object_id IS NOT NULL;

CREATE TABLE figure_geometries (
    figure_id INTEGER PRIMARY KEY REFERENCES figures ON DELETE CASCADE, body BLOB, hash TEXT,
    CHECK ((body IS NULL) <> (hash IS NULL))
);

CREATE TABLE slices (
    id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    plane TEXT NOT NULL, slice_index INTEGER NOT NULL, hash TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX slices_by_place ON slices (item_id, plane, slice_index);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY, tag_id INTEGER NOT NULL REFERENCES tag_definitions ON DELETE CASCADE,
    item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    figure_id INTEGER REFERENCES figures ON DELETE CASCADE,
    object_id INTEGER REFERENCES objects ON DELETE CASCADE,
    value TEXT, extra TEXT, labeler_login TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX tags_by_item ON tags (item_id, figure_id, object_id);
CREATE INDEX tags_by_figure ON tags (figure_id) WHERE figure_id IS NOT NULL;
CREATE INDEX tags_by_object ON tags (object_id, item_id) WHERE object_id IS NOT NULL;
CREATE INDEX tags_by_definition ON tags (tag_id);

CREATE TABLE files (
    id INTEGER PRIMARY KEY, team_id INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    path TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL, mime TEXT NOT NULL,
    user_id INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX files_by_path ON files (team_id, path);

CREATE TABLE versions (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    status TEXT NOT NULL, version INTEGER, commit_token TEXT, expires_at TEXT, owner TEXT,
    name TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '', team_file_id INTEGER,
    project_updated_at TEXT, preview_project_id INTEGER,
    created_by INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX versions_by_number ON versions (project_id, version);
CREATE UNIQUE INDEX reservations ON versions (project_id) WHERE status = 'reserved';

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, workspace_id INTEGER NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    type TEXT NOT NULL, status TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '',
    meta TEXT NOT NULL DEFAULT '{}', settings TEXT NOT NULL DEFAULT '{}', user_id INTEGER,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, finished_at TEXT
);
CREATE INDEX tasks_by_workspace ON tasks (workspace_id);
CREATE INDEX tasks_by_status ON tasks (status);
CREATE TABLE task_log (
    id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES tasks ON DELETE CASCADE, line TEXT NOT NULL
);
CREATE INDEX task_log_by_task ON task_log (task_id);

CREATE TABLE workflow_edges (
    id INTEGER PRIMARY KEY, team_id INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    direction TEXT NOT NULL, node TEXT NOT NULL, type TEXT NOT NULL, entity TEXT, meta TEXT,
    created_at TEXT NOT NULL
);
"""
