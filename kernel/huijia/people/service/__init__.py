"""Use cases of people, named as the desk says them."""

from huijia.people.service.cards import block_card as block_card
from huijia.people.service.cards import issue_card as issue_card
from huijia.people.service.cards import person_of_card as person_of_card
from huijia.people.service.cards import replace_card as replace_card
from huijia.people.service.confirming import confirm_identity as confirm_identity
from huijia.people.service.confirming import withdraw_confirmation as withdraw_confirmation
from huijia.people.service.numbers import add_number as add_number
from huijia.people.service.numbers import person_of_number as person_of_number
from huijia.people.service.numbers import reseal as reseal
from huijia.people.service.numbers import reveal_number as reveal_number
from huijia.people.service.registering import change_person as change_person
from huijia.people.service.registering import end_registration as end_registration
from huijia.people.service.registering import register_here as register_here
from huijia.people.service.registering import register_person as register_person
