"""What is kept of a person, in every table of every service: given out, erased, and forgotten in time."""

from huijia.people.privacy.access import access_report as access_report
from huijia.people.privacy.erasing import erase_person as erase_person
from huijia.people.privacy.exporting import export_person as export_person
from huijia.people.privacy.exporting import export_sheet as export_sheet
from huijia.people.privacy.retention import erase_what_is_old as erase_what_is_old
