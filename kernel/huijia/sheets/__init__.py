"""Spreadsheets as offices use them: what comes in is read with care, what goes out is inert."""

from huijia.sheets.reading import Row as Row
from huijia.sheets.reading import Sheet as Sheet
from huijia.sheets.reading import read_date as read_date
from huijia.sheets.reading import read_sheet as read_sheet
from huijia.sheets.writing import Column as Column
from huijia.sheets.writing import write_sheet as write_sheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
