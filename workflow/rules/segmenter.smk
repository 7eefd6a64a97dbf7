use rule cam as segmenter with:
    input:
        unpack(job.all_images),
        unpack(job.all_shards("labels", "mattes")),
        **job.made_by("segmenter"),
        cam=job.weights("cam"),
        start=job.weight_files,
    output:
        **leaves("segmenter"),
    log:
        log_of("segmenter"),
    params:
        stage="segmenter",
        code=job.digest("segmenter"),
        options=job.options("cam", dataset="list", folders=["labels", "mattes"]),
