from certificates import certificates as certificates
from lying_wearer import recording as recording
from small_disk import small_disk as small_disk
