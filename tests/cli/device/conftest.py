from small_disk import small_disk as small_disk
