"""What is read of rooms: the day of all rooms as a grid and as JSON, lists, and figures."""

from huijia_rooms.reports.day import day_json as day_json
from huijia_rooms.reports.grid import day_grid as day_grid
from huijia_rooms.reports.lists import about_day as about_day
from huijia_rooms.reports.lists import bookings_of as bookings_of
from huijia_rooms.reports.lists import count_in_closures as count_in_closures
from huijia_rooms.reports.lists import today as today
from huijia_rooms.reports.person import calendar_of as calendar_of
from huijia_rooms.reports.person import panel_of as panel_of
from huijia_rooms.reports.standing import stays_by_room as stays_by_room
