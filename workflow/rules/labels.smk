rule labels:
    input:
        unpack(job.images),
        **job.made_by("labels"),
        mattes=job.shard("mattes"),
        masks=job.label_masks,
    output:
        **leaves("labels"),
        png=directory(png_of("labels")),
    log:
        log_of("labels"),
    conda:
        "../../envs/matlabel.yaml"
    resources:
        **job.resources(),
    params:
        code=job.digest("labels"),
        source=job.options("mattes", "masks"),
    shell:
        "matlabel labels --settings {input.settings} --dataset {input.manifest} {params.source}"
        " --out {output.main} --png {output.png} --code {params.code} > {log} 2>&1"
