rule cam:
    input:
        unpack(job.all_images),
        **job.made_by("cam"),
        start=job.weight_files,
    output:
        **leaves("cam"),
    log:
        log_of("cam"),
    conda:
        "../../envs/matlabel.yaml"
    threads: job.threads
    resources:
        **job.resources(gpu=True),
        **job.launch(),
    params:
        stage="cam",
        code=job.digest("cam"),
        options=job.options(dataset="list"),
    # A scheduler signals every process of a job: shell and tee outlive the training, which ends by itself.
    shell:
        "trap '' TERM; {resources.launch} matlabel {params.stage} --settings {input.settings} {params.options}"
        " --out {output.main} --device {resources.device} --workers {resources.workers} --code {params.code}"
        " 2>&1 | tee {log}"
