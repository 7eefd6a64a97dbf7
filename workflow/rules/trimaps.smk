rule trimaps:
    input:
        unpack(job.images),
        **job.made_by("trimaps"),
        activations=job.shard("activations"),
        corrections=job.corrections,
    output:
        **leaves("trimaps"),
    log:
        log_of("trimaps"),
    conda:
        "../../envs/matlabel.yaml"
    resources:
        **job.resources(),
    params:
        code=job.digest("trimaps"),
        options=job.options("corrections"),
    shell:
        "matlabel trimaps --settings {input.settings} --dataset {input.manifest} --activations {input.activations}"
        " {params.options} --out {output.main} --code {params.code} > {log} 2>&1"
