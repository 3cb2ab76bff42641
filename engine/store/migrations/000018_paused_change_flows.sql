-- A change flow that a person paused: its changes still become deliveries, and none of them is sent until it is resumed.

alter table change_flows add column paused_at timestamptz, add column paused_by text;
