from o2c.entrypoints.python import Captured as Captured
from o2c.entrypoints.python import Context as Context
from o2c.entrypoints.python import EventRecord as EventRecord
from o2c.entrypoints.python import Mark as Mark
from o2c.entrypoints.python import OrderToCash as OrderToCash
from o2c.entrypoints.python import OtherLog as OtherLog
from o2c.entrypoints.python import Refused as Refused
from o2c.entrypoints.python import Written as Written
